# Two-way fixed effects, event studies and 2x2 differences with covariates and a further fixed
# effect: lm with dummies, clubSandwich on the rows multiplied by the root of their weight.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
suppressMessages(library(clubSandwich))
people <- data_of("people")
panel <- merge(data_of("panel"), people[c("person", "base_zone", "first", "arm", "weight", "age")], by = "person")
panel <- panel[panel$seen == 1, ]
panel <- panel[order(panel$person, panel$wave), ]
panel$post <- as.integer(panel$wave > 2023)
panel$aged <- panel$age * (panel$wave - 2020)
panel$rel <- ifelse(panel$first == 0, -1, panel$wave - panel$first)

fits <- tests <- NULL
study <- function(case, model, data, keep, rename = identity) {
  for (weight in c("", "weight")) {
    data$w <- if (weight == "") 1 else data$weight
    fit <- lm(model, data, weights = w)
    scaled <- model.matrix(fit)[, !is.na(coef(fit))] * sqrt(data$w)
    robust <- lm(data$income * sqrt(data$w) ~ 0 + scaled)
    names(robust$coefficients) <- colnames(scaled)
    terms <- names(coef(fit))[grepl(keep, names(coef(fit)))]
    position <- match(terms, colnames(scaled))
    for (type in c("CR0", "CR1S", "CR2")) {
      vcov <- vcovCR(robust, cluster = data$base_zone, type = type)
      se <- sqrt(diag(as.matrix(vcov)))[position]
      df <- if (type == "CR2") coef_test(robust, vcov = vcov, test = "Satterthwaite", coefs = position)$df_Satt else length(unique(data$base_zone)) - 1
      fits <<- rbind(fits, data.frame(
        case = case, weight = weight, type = type, term = rename(terms), estimate = coef(fit)[terms], se = se, df = df
      ))
      if (case == "event_study" && type == "CR2") {
        leads <- position[as.numeric(rename(terms)) < 0]
        htz <- Wald_test(robust, constraints = constrain_zero(leads), vcov = vcov, test = "HTZ")
        tests <<- rbind(tests, data.frame(weight = weight, statistic = htz$Fstat, df_denominator = htz$df_denom, p = htz$p_val))
      }
    }
  }
}
study("did", income ~ arm * post + age + factor(status), panel[panel$wave %in% c(2022, 2025), ], "arm:post")
study("twfe", income ~ treated + aged + factor(zone) + factor(wave) + factor(person), panel, "treated")
name <- function(terms) sub("relevel\\(factor\\(.*\\), .*\\)", "", terms)
study("event_study", income ~ relevel(factor(rel), "-1") + aged + factor(status) + factor(wave) + factor(person), panel, "rel", name)
save_result(fits, "adjusted", "clubSandwich")
save_result(tests, "adjusted_tests", "clubSandwich")
