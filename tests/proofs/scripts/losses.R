# Losses with survey weights: shares and their linearised errors (survey), weights of those seen (glm).
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
suppressMessages(library(survey))

people <- data_of("people")
people$diploma <- factor(people$diploma)
people$sex <- factor(people$sex)
found <- NULL
for (arm in 0:1) {
  # Each arm a sample of its own: as a domain of the whole, its error counts the people of both.
  own <- svydesign(ids = ~1, weights = ~weight, data = people[people$arm == arm, ])
  share <- svymean(~lost, own)
  found <- rbind(found, data.frame(arm = arm, n = sum(people$arm == arm), rate = coef(share)[["lost"]], se = SE(share)[[1]]))
}
save_result(found, "attrition_weighted", "survey")

control <- glm.control(epsilon = 1e-14, maxit = 100)
people$seen <- 1 - people$lost
design <- svydesign(ids = ~1, weights = ~weight, data = people)
stay <- svyglm(seen ~ age + sex + diploma + base_income, design, family = quasibinomial(), control = control)
share <- svyglm(seen ~ arm, design, family = quasibinomial(), control = control)
weights <- data.frame(
  person = people$person,
  plain = ifelse(people$seen == 1, people$weight / fitted(stay), NA),
  by_arm = ifelse(people$seen == 1, people$weight * fitted(share) / fitted(stay), NA)
)
save_result(weights, "attrition_weights_survey", "survey")
