# Curves, quantiles, restricted means, incidences and tests of package survival.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
library(survival)

people <- data_of("people")
people$event <- as.integer(people$cause == 1)
HORIZON <- 12
SHARES <- c(0.1, 0.25, 0.5, 0.75)

# A case: what enters the call. Delayed entry makes Surv(entry, duration, event).
cases <- list(
  plain = list(entry = FALSE, weight = FALSE, by = FALSE),
  by_arm = list(entry = FALSE, weight = FALSE, by = TRUE),
  entry = list(entry = TRUE, weight = FALSE, by = TRUE),
  weight = list(entry = FALSE, weight = TRUE, by = TRUE),
  both = list(entry = TRUE, weight = TRUE, by = FALSE)
)

fit_of <- function(case, conf_type, level = 0.95, response = NULL, rows = people) {
  left <- if (case$entry) "Surv(entry, duration, event)" else "Surv(duration, event)"
  if (!is.null(response)) left <- response
  model <- as.formula(paste(left, "~", if (case$by) "arm" else "1"))
  options <- list(model, data = rows, conf.type = conf_type, conf.int = level)
  if (case$weight) options$weights <- rows$weight
  # The infinitesimal jackknife goes by person: an interval of (entry, duration] is one.
  if (case$weight) options$robust <- TRUE
  if (case$entry && (case$weight || !is.null(response))) options$id <- rows$person
  do.call(survfit, options)
}

group_of <- function(fit) {
  if (is.null(fit$strata)) return(rep("", length(fit$time)))
  rep(sub("arm=", "", names(fit$strata)), fit$strata)
}

curves <- quantiles <- means <- incidences <- NULL
for (name in names(cases)) {
  case <- cases[[name]]
  for (conf_type in c("log", "log-log", "plain")) {
    level <- if (name == "by_arm" && conf_type == "plain") 0.9 else 0.95
    fit <- fit_of(case, conf_type, level)
    key <- data.frame(case = name, conf_type = conf_type, level = level)
    curves <- rbind(curves, data.frame(
      key, group = group_of(fit), time = fit$time, n_risk = fit$n.risk, n_event = fit$n.event,
      n_censor = fit$n.censor, survival = fit$surv, std_err = summary(fit, censored = TRUE)$std.err,
      low = fit$lower, high = fit$upper
    ))
    found <- quantile(fit, SHARES)
    table <- function(part) as.vector(t(rbind(part)))
    groups <- if (case$by) sub("arm=", "", rownames(found$quantile)) else ""
    quantiles <- rbind(quantiles, data.frame(
      key, group = rep(groups, each = length(SHARES)), q = SHARES, quantile = table(found$quantile),
      low = table(found$lower), high = table(found$upper)
    ))
  }
  # The error of summary() depends on the scale of the weights; ours are put at mean 1.
  scaled <- people
  scaled$weight <- people$weight / mean(people$weight)
  table <- rbind(summary(fit_of(case, "log", rows = scaled), rmean = HORIZON)$table)
  means <- rbind(means, data.frame(
    case = name, group = if (case$by) sub("arm=", "", rownames(table)) else "", horizon = HORIZON,
    rmst = table[, grep("^\\*?rmean", colnames(table))], std_err = table[, grep("^\\*?se\\(rmean", colnames(table))]
  ))
  left <- if (case$entry) "Surv(entry, duration, factor(cause))" else "Surv(duration, factor(cause))"
  for (conf_type in c("log", "plain")) {
    fit <- fit_of(case, conf_type, response = left)
    for (cause in 1:2) {
      state <- cause + 1
      incidences <- rbind(incidences, data.frame(
        case = name, conf_type = conf_type, group = group_of(fit), time = fit$time, cause = cause,
        n_risk = fit$n.risk[, 1], n_event = fit$n.event[, state], cif = fit$pstate[, state],
        std_err = fit$std.err[, state], low = fit$lower[, state], high = fit$upper[, state]
      ))
    }
  }
}
save_result(curves, "km_curves", "survival")
save_result(quantiles, "km_quantiles", "survival")
save_result(means, "rmst", "survival")
save_result(incidences, "cumulative_incidence", "survival")

tests <- NULL
for (by in c("arm", "diploma")) for (strata in c("", "sex")) for (rho in c(0, 0.5, 1)) {
  right <- paste(by, if (strata == "") "" else "+ strata(sex)")
  fit <- survdiff(as.formula(paste("Surv(duration, event) ~", right)), data = people, rho = rho)
  observed <- if (is.matrix(fit$obs)) rowSums(fit$obs) else fit$obs
  df <- length(observed) - 1
  tests <- rbind(tests, data.frame(
    by = by, strata = strata, rho = rho, chisq = fit$chisq, df = df,
    p = pchisq(fit$chisq, df, lower.tail = FALSE)
  ))
}
save_result(tests, "logrank", "survival")

# survdiff has no delayed entry. Without ties the score test of a proportional hazards model is the
# log-rank test: durations are spread by less than one unit, people in order.
people$spread <- people$duration + people$person / 1000
scores <- NULL
for (by in c("arm", "factor(diploma)")) for (strata in c("", "sex")) {
  right <- paste(by, if (strata == "") "" else "+ strata(sex)")
  fit <- coxph(as.formula(paste("Surv(entry, spread, event) ~", right)), people, ties = "breslow")
  scores <- rbind(scores, data.frame(
    by = gsub("factor|[()]", "", by), strata = strata, chisq = fit$score, df = length(coef(fit))
  ))
}
save_result(scores, "logrank_entry", "survival")
