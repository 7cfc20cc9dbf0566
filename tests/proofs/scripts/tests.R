# Tests by enumeration (base R, coin), p-values adjusted (p.adjust), power (power.t.test, pwr).
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
suppressMessages({
  library(coin)
  library(pwr)
})

people <- data_of("people")
panel <- data_of("panel")
wide <- reshape(panel[c("person", "wave", "income")], idvar = "person", timevar = "wave", direction = "wide")
people$change <- (wide$income.2025 - wide$income.2022)[match(people$person, wide$person)]
seen <- function(wave) panel$person[panel$wave == wave & panel$seen == 1]
people$change[!(people$person %in% intersect(seen(2022), seen(2025)))] <- NA

# Randomisation: every assignment of as many units, in each stratum, to the treatment. Statistics
# that differ by less than 1e-9 are ties (incomes have one decimal).
everyone <- function(treated) combn(length(treated), sum(treated), function(k) as.integer(seq_along(treated) %in% k))
TIE <- 1e-9
tests <- NULL
enumerate <- function(case, assignments, y, statistic, observed) {
  drawn <- apply(assignments, 2, function(arm) statistic(y, arm))
  now <- statistic(y, observed)
  tests <<- rbind(tests, data.frame(
    case = case, package = "stats", statistic = now, draws = ncol(assignments), p = mean(abs(drawn) >= abs(now) - TIE)
  ))
}
gap <- function(y, arm) mean(y[arm == 1]) - mean(y[arm == 0])
gap_of_medians <- function(y, arm) median(y[arm == 1]) - median(y[arm == 0])

few <- people[people$base_zone %in% c("Z01", "Z02") & !is.na(people$change), ]
enumerate("people", everyone(few$arm), few$change, gap, few$arm)
enumerate("people_medians", everyone(few$arm), few$change, gap_of_medians, few$arm)
# coin: exact law of the sum of the treated, whose distance to its mean orders as the difference.
test <- oneway_test(change ~ factor(arm), few, distribution = exact())
tests <- rbind(tests, data.frame(case = "people", package = "coin", statistic = gap(few$change, few$arm), draws = NA, p = as.numeric(pvalue(test))))

known <- people[!is.na(people$change), ]
zones <- unique(people[c("base_zone", "zone_arm")])
zones$half <- rep(1:2, each = 6)
position <- match(known$base_zone, zones$base_zone)
enumerate("clusters", everyone(zones$zone_arm)[position, ], known$change, gap, known$zone_arm)
halves <- lapply(split(zones$zone_arm, zones$half), everyone)
both <- do.call(cbind, lapply(seq_len(ncol(halves[[1]])), function(k) rbind(matrix(halves[[1]][, k], 6, ncol(halves[[2]])), halves[[2]])))
enumerate("clusters_strata", both[position, ], known$change, gap, known$zone_arm)
save_result(tests, "randomisation", "coin")

# Wild cluster bootstrap: every vector of weights, each sample fitted again. CR0 and CR1 differ by a
# constant that changes no p-value.
crossed <- function(values, times) as.matrix(expand.grid(rep(list(values), times)))
laws <- list(rademacher = c(-1, 1), webb = sqrt(c(0.5, 1, 1.5)) %o% c(-1, 1))
bootstrap <- NULL
wild <- function(case, data, x, law, imposed, w = rep(1, nrow(data)), null = 0) {
  y <- data$y
  g <- match(data$cluster, unique(data$cluster))
  k <- ncol(x)
  bread <- solve(crossprod(x * sqrt(w)))
  fit <- function(y, x) solve(crossprod(x * sqrt(w)), crossprod(x, w * y))
  statistic <- function(y, null) {
    beta <- bread %*% crossprod(x, w * y)
    scores <- rowsum(x * as.vector(w * (y - x %*% beta)), g)
    c(beta[k], (beta[k] - null) / sqrt((bread %*% crossprod(scores) %*% bread)[k, k]))
  }
  now <- statistic(y, null)
  if (imposed) {
    fitted <- x[, -k, drop = FALSE] %*% fit(y - null * x[, k], x[, -k, drop = FALSE]) + null * x[, k]
    centre <- null
  } else {
    fitted <- x %*% fit(y, x)
    centre <- now[1]
  }
  residual <- as.vector(y - fitted)
  vectors <- crossed(as.vector(laws[[law]]), max(g))
  t <- apply(vectors, 1, function(v) statistic(fitted + residual * v[g], centre)[2])
  bootstrap <<- rbind(bootstrap, data.frame(
    case = case, law = law, imposed = imposed, null = null, estimate = now[1], t_cr0 = now[2], draws = nrow(vectors),
    n_strict = sum(abs(t) > abs(now[2]) + TIE), n_weak = sum(abs(t) >= abs(now[2]) - TIE)
  ))
}
known$y <- known$change
known$cluster <- known$base_zone
x <- cbind(1, known$age, known$zone_arm)
wild("twelve", known, x, "rademacher", TRUE)
wild("twelve", known, x, "rademacher", FALSE)
wild("twelve_null", known, x, "rademacher", TRUE, null = 20)
wild("twelve_weight", known, x, "rademacher", TRUE, w = known$weight)
five <- known[known$base_zone %in% c("Z06", "Z08", "Z09", "Z10", "Z12"), ]
x <- cbind(1, five$age, five$arm)
wild("five", five, x, "rademacher", TRUE)
wild("five", five, x, "webb", TRUE)
wild("five", five, x, "webb", FALSE)
save_result(bootstrap, "wild_bootstrap", "stats")

p <- data_of("p_values")
adjusted <- NULL
for (method in c("holm", "BH", "bonferroni", "hochberg", "hommel", "BY")) for (family in unique(p$family)) {
  rows <- p[p$family == family, ]
  adjusted <- rbind(adjusted, data.frame(method = tolower(method), family = family, outcome = rows$outcome, p_adjusted = p.adjust(rows$p, method)))
}
save_result(adjusted, "p_adjust", "stats")

# Power. power.t.test and pwr count both tails (strict = TRUE). Clusters and waves multiply the
# variance: the designs below give power.t.test the standard deviation that results.
power <- NULL
add <- function(case, n, n_control, effect, power_value, sd = 1, proportion = NA) {
  power <<- rbind(power, data.frame(
    case = case, n = n, n_control = n_control, effect = effect, power = power_value, sd = sd, proportion = proportion
  ))
}
for (n in c(12, 40, 150)) for (delta in c(0.2, 0.5, 0.9)) {
  add("t.test", n, n, delta, power.t.test(n, delta, strict = TRUE)$power)
  add("t2n.test", n, 2 * n + 1, delta, pwr.t2n.test(n1 = n, n2 = 2 * n + 1, d = delta)$power)
}
for (n in c(60, 250)) for (rise in c(0.1, 0.25)) for (p1 in c(0.1, 0.45)) {
  add("prop.test", n, n, rise, power.prop.test(n, p1, p1 + rise)$power, proportion = p1)
  add("2p2n.test", n, 3 * n, rise, pwr.2p2n.test(ES.h(p1 + rise, p1), n1 = n, n2 = 3 * n)$power, proportion = p1)
}
# Sizes and effects solved for, with a tight root.
for (delta in c(0.3, 0.6)) {
  n <- power.t.test(delta = delta, power = 0.8, strict = TRUE, tol = 1e-12)$n
  add("t.test_size", n, n, delta, 0.8)
}
for (n in c(30, 90)) {
  delta <- power.t.test(n = n, power = 0.9, strict = TRUE, tol = 1e-12)$delta
  add("t.test_effect", n, n, delta, 0.9)
}
# Waves: variance of the mean of `post` waves less the mean of `pre`, from the correlation matrix.
for (kind in c("constant", "ar1")) for (pre in 1:3) for (post in 1:2) {
  waves <- seq_len(pre + post)
  gaps <- abs(outer(waves, waves, "-"))
  correlation <- if (kind == "constant") ifelse(gaps == 0, 1, 0.6) else 0.6^gaps
  a <- c(rep(-1 / pre, pre), rep(1 / post, post))
  sd <- sqrt(drop(a %*% correlation %*% a))
  add(paste("waves", kind, pre, post), 50, 50, 0.4, power.t.test(50, 0.4, sd = sd, strict = TRUE)$power, sd = sd)
}
# Clusters: t of 2k - 2 degrees of freedom on k neighbourhoods an arm, variance times 1 + (m - 1) icc.
# power.t.test on k means of m people, of variance (1 + (m - 1) icc) / m.
for (k in c(4, 9)) for (m in c(5, 30)) for (icc in c(0, 0.03, 0.2)) {
  sd <- sqrt((1 + (m - 1) * icc) / m)
  add(paste("clusters", m, icc), k * m, k * m, 0.5, power.t.test(k, 0.5, sd = sd, strict = TRUE)$power, sd = sd)
}
save_result(power, "power", "pwr")

# Slopes that a joint test of two or three coefficients would miss: root of pchisq(ncp).
slopes <- NULL
vcov <- matrix(c(4, 1, 0.5, 1, 3, 0.8, 0.5, 0.8, 2), 3)
coef <- c(1.5, -2, 0.7)
times <- c(-4, -3, -2)
for (q in 2:3) {
  v <- vcov[1:q, 1:q]
  t <- times[1:q]
  statistic <- drop(coef[1:q] %*% solve(v, coef[1:q]))
  for (power_value in c(0.5, 0.8)) {
    ncp <- uniroot(function(x) pchisq(qchisq(0.95, q), q, x, lower.tail = FALSE) - power_value, c(0.1, 100), tol = 1e-13)$root
    slopes <- rbind(slopes, data.frame(
      q = q, power = power_value, statistic = statistic, p = pchisq(statistic, q, lower.tail = FALSE),
      slope = sqrt(ncp / drop(t %*% solve(v, t)))
    ))
  }
}
save_result(slopes, "pretrend_slopes", "stats")
