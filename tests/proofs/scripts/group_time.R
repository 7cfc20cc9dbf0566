# ATT(g,t) cell by cell with R's glm and lm: formulas of Abadie (2005), normalised, and of Sant'Anna
# and Zhao (2020, traditional doubly robust estimator). Ours stops the propensity score where R's glm
# does and takes its vcov(): csdid goes on to the exact maximum.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))

people <- data_of("people")
panel <- data_of("panel")
wide <- function(rows) {
  incomes <- with(rows, tapply(income, list(factor(person, people$person), wave), sum))
  incomes[, order(as.integer(colnames(incomes)))]
}

cell <- function(dy, d, x, w, method) {
  n <- length(d)
  w <- w / mean(w)
  fit <- suppressWarnings(glm(d ~ x - 1, family = binomial, weights = w))
  p <- fitted(fit)
  score <- (w * (d - p)) * x
  odds <- w * p * (1 - d) / (1 - p)
  treated <- w * d
  if (method == "dr") {
    others <- d == 0
    outcome <- lm.wfit(x[others, ], dy[others], w[others])$coefficients
    dy <- dy - as.vector(x %*% outcome)
  }
  a1 <- sum(treated * dy) / sum(treated)
  a0 <- sum(odds * dy) / sum(odds)
  influence <- treated * (dy - a1) / mean(treated) - odds * (dy - a0) / mean(odds)
  slope <- colMeans(odds * (dy - a0) * x) / mean(odds)
  influence <- influence - as.vector(score %*% (vcov(fit) * n) %*% slope)
  if (method == "dr") {
    bread <- solve(crossprod(x * (w * (1 - d)), x) / n)
    moved <- colMeans(treated * x) / mean(treated) - colMeans(odds * x) / mean(odds)
    influence <- influence - as.vector(((w * (1 - d) * dy) * x) %*% bread %*% moved)
  }
  c(a1 - a0, sqrt(sum(influence^2)) / n)
}

results <- NULL
for (rows in c("all", "seen")) {
  incomes <- wide(if (rows == "seen") panel[panel$seen == 1, ] else panel)
  waves <- as.integer(colnames(incomes))
  for (method in c("dr", "ipw")) for (weight in c("", "weight")) {
    for (group in c(2023, 2024, 2026)) for (wave in waves[-1]) {
      base <- if (wave >= group) group - 1 else wave - 1
      dy <- incomes[, as.character(wave)] - incomes[, as.character(base)]
      kept <- people$first %in% c(0, group) & !is.na(dy)
      w <- if (weight == "") rep(1, nrow(people)) else people$weight
      x <- cbind(1, people$age, people$sex == "H")[kept, ]
      found <- cell(dy[kept], as.numeric(people$first == group)[kept], x, w[kept], method)
      results <- rbind(results, data.frame(
        rows = rows, method = method, weight = weight, group = group, wave = wave, att = found[1], se = found[2]
      ))
    }
  }
}
save_result(results, "att_gt_glm", "stats")
