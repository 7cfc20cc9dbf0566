# Least squares with cluster-robust errors: sandwich and clubSandwich on plain regressions, 2x2
# differences, two-way fixed effects and event studies (dummies for everything).
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
suppressMessages({
  library(sandwich)
  library(clubSandwich)
})

people <- data_of("people")
panel <- merge(data_of("panel"), people[c("person", "base_zone", "first", "arm", "weight", "age", "sex")], by = "person")
panel <- panel[panel$seen == 1, ]
panel <- panel[order(panel$person, panel$wave), ]
panel$post <- as.integer(panel$wave > 2023)

fits <- covariances <- NULL
# CR3 does not exist with dummies nested in the clusters.
TYPES <- c("CR0", "CR1S", "CR2")
study <- function(case, model, data, keep, rename = identity, types = TYPES, save_vcov = FALSE) {
  for (weight in c("", "weight")) {
    data$w <- if (weight == "") 1 else data$weight
    fit <- if (weight == "") lm(model, data) else lm(model, data, weights = w)
    # Ours supposes variances inversely proportional to the weights: rows multiplied by the root of
    # their weight have equal variances, and the same least squares. On the rows themselves
    # clubSandwich takes another root of the same adjustment (see the README).
    scaled <- model.matrix(fit)[, !is.na(coef(fit))] * sqrt(data$w)
    robust <- lm(model.response(model.frame(fit)) * sqrt(data$w) ~ 0 + scaled)
    names(robust$coefficients) <- colnames(scaled)
    terms <- names(coef(fit))[grepl(keep, names(coef(fit)))]
    add <- function(type, se, df) {
      fits <<- rbind(fits, data.frame(
        case = case, weight = weight, type = type, term = rename(terms), estimate = coef(fit)[terms], se = se, df = df
      ))
    }
    add("HC1", sqrt(diag(vcovHC(fit, type = "HC1")))[terms], NA)
    for (type in types) {
      vcov <- vcovCR(robust, cluster = data$base_zone, type = type)
      position <- match(terms, colnames(scaled))
      se <- sqrt(diag(as.matrix(vcov)))[position]
      df <- rep(length(unique(data$base_zone)) - 1, length(terms))
      if (type %in% c("CR2", "CR3")) {
        tests <- coef_test(robust, vcov = vcov, test = "Satterthwaite", coefs = match(terms, colnames(scaled)))
        column <- intersect(c("df_Satt", "df"), names(tests))[1]
        df <- tests[[column]]
      }
      add(type, se, df)
      if (save_vcov && type == "CR2" && weight == "") {
        part <- as.matrix(vcov)[position, position]
        covariances <<- rbind(covariances, data.frame(
          case = case, row = rep(rename(terms), length(terms)), column = rep(rename(terms), each = length(terms)), value = as.vector(part)
        ))
      }
    }
  }
}

last <- panel[panel$wave == 2025, ]
study("regression", income ~ age + sex + arm, last, ".", types = c(TYPES, "CR3"))
study("did", income ~ arm * post, panel[panel$wave %in% c(2022, 2025), ], "arm:post", types = c(TYPES, "CR3"))
# The coefficient of interest comes before the dummies; people are nested in the neighbourhoods.
study("twfe", income ~ treated + factor(wave) + factor(person), panel, "treated")
panel$rel <- ifelse(panel$first == 0, -1, panel$wave - panel$first)
name <- function(terms) sub("factor\\(rel\\)|relevel\\(factor\\(.*\\), .*\\)", "", terms)
study("event_study", income ~ relevel(factor(rel), "-1") + factor(wave) + factor(person), panel, "rel", name, save_vcov = TRUE)
panel$bin <- pmax(pmin(panel$rel, 2), -3)
study("event_study_window", income ~ relevel(factor(bin), "-1") + factor(wave) + factor(person), panel, "bin", name)
save_result(fits, "regressions", "clubSandwich")
save_result(covariances, "event_study_vcov", "clubSandwich")
