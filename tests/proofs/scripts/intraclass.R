# Intra-class correlation: the analysis of variance of R, and the interval of Searle by its formula.
# Ordinary least squares: vcov() of lm, dummies for fixed effects.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
people <- data_of("people")
panel <- merge(data_of("panel"), people[c("person", "base_zone", "first", "arm", "weight", "age", "sex")], by = "person")
panel <- panel[panel$seen == 1, ]

found <- NULL
for (wave in c(2022, 2025)) {
  for (level in c(0.9, 0.95)) {
    rows <- panel[panel$wave == wave, ]
    table <- anova(lm(income ~ factor(base_zone), rows))
    sizes <- table(rows$base_zone)
    g <- length(sizes); n <- sum(sizes)
    m <- (n - sum(sizes^2) / n) / (g - 1)
    f <- table[["F value"]][1]
    ms <- table[["Mean Sq"]]
    low <- f / qf((1 + level) / 2, g - 1, n - g)
    high <- f * qf((1 + level) / 2, n - g, g - 1)
    found <- rbind(found, data.frame(
      wave = wave, level = level, estimate = (ms[1] - ms[2]) / (ms[1] + (m - 1) * ms[2]),
      low = (low - 1) / (low + m - 1), high = (high - 1) / (high + m - 1), n = n, n_clusters = g
    ))
  }
}
save_result(found, "intraclass", "stats")

fits <- NULL
add <- function(case, weight, fit, kept) {
  table <- summary(fit)$coefficients[kept, , drop = FALSE]
  fits <<- rbind(fits, data.frame(
    case = case, weight = weight, term = rownames(table), estimate = table[, 1], se = table[, 2], df = fit$df.residual
  ))
}
for (weight in c("", "weight")) {
  panel$w <- if (weight == "") 1 else panel$weight
  last <- panel[panel$wave == 2025, ]
  fit <- lm(income ~ age + arm, last, weights = w)
  add("regression", weight, fit, names(coef(fit)))
  two <- lm(income ~ treated + factor(wave) + factor(person), panel, weights = w)
  add("twfe", weight, two, "treated")
}
save_result(fits, "ols", "stats")
