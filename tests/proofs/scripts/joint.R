# Joint tests and errors with few clusters: the test "HTZ" of clubSandwich on the leads of an event
# study, and CR2 of the difference of two means of changes, which is a cell of ATT(g,t).
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
suppressMessages(library(clubSandwich))

people <- data_of("people")
panel <- merge(data_of("panel"), people[c("person", "base_zone", "first", "weight")], by = "person")
panel <- panel[panel$seen == 1, ]
panel <- panel[order(panel$person, panel$wave), ]
panel$rel <- ifelse(panel$first == 0, -1, panel$wave - panel$first)

tests <- NULL
for (weight in c("", "weight")) {
  data <- panel
  data$w <- if (weight == "") 1 else data$weight
  fit <- lm(income ~ relevel(factor(rel), "-1") + factor(wave) + factor(person), data, weights = w)
  scaled <- model.matrix(fit)[, !is.na(coef(fit))] * sqrt(data$w)
  robust <- lm(data$income * sqrt(data$w) ~ 0 + scaled)
  names(robust$coefficients) <- colnames(scaled)
  vcov <- vcovCR(robust, cluster = data$base_zone, type = "CR2")
  leads <- which(grepl("rel.*-[2-9]$", colnames(scaled)))
  for (number in 1:length(leads)) {
    kept <- tail(leads, number)
    htz <- Wald_test(robust, constraints = constrain_zero(kept), vcov = vcov, test = "HTZ")
    tests <- rbind(tests, data.frame(
      weight = weight, q = number, statistic = htz$Fstat, df_denominator = htz$df_denom, p = htz$p_val
    ))
  }
}
save_result(tests, "joint_tests", "clubSandwich")

cells <- NULL
wide <- reshape(panel[c("person", "wave", "income")], idvar = "person", timevar = "wave", direction = "wide")
wide <- merge(wide, people[c("person", "base_zone", "first", "weight")], by = "person")
for (weight in c("", "weight")) {
  for (group in setdiff(sort(unique(people$first)), 0)) {
    base <- paste0("income.", group - 1)
    for (wave in setdiff(2021:2026, group - 1)) {
      chosen <- wide[wide$first %in% c(0, group), ]
      chosen$change <- chosen[[paste0("income.", wave)]] - chosen[[base]]
      chosen <- chosen[!is.na(chosen$change), ]
      chosen$w <- if (weight == "") 1 else chosen$weight
      x <- cbind(1, as.integer(chosen$first == group)) * sqrt(chosen$w)
      fit <- lm(chosen$change * sqrt(chosen$w) ~ 0 + x)
      vcov <- as.matrix(vcovCR(fit, cluster = chosen$base_zone, type = "CR2"))
      cells <- rbind(cells, data.frame(
        weight = weight, group = group, wave = wave, estimate = coef(fit)[2], se = sqrt(vcov[2, 2])
      ))
    }
  }
}
save_result(cells, "att_gt_cr2", "clubSandwich")
