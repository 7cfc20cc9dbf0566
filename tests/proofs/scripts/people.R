# Balance and matching (MatchIt), attrition and weights (glm), effects of weights (sandwich, clubSandwich).
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
library(MatchIt)
library(sandwich)
library(lmtest)
library(clubSandwich)

people <- data_of("people")
people$diploma <- factor(people$diploma)
people$sex <- factor(people$sex)
rownames(people) <- people$person
TRAITS <- ~ age + sex + diploma + base_income
right <- paste(deparse(TRAITS[[2]]), collapse = "")

# Balance: the estimand chooses the standard deviation of the standardised difference.
balance <- NULL
for (outcome in c("arm", "lost")) {
  for (estimand in c("ATT", "ATC", "ATE")) {
    model <- as.formula(paste(outcome, "~", right))
    fit <- matchit(model, data = people, method = NULL, distance = "glm", estimand = estimand)
    table <- summary(fit)$sum.all
    table <- table[rownames(table) != "distance", ]
    balance <- rbind(balance, data.frame(
      outcome = outcome, estimand = estimand, term = rownames(table), mean_treated = table[, 1],
      mean_control = table[, 2], smd = table[, 3], var_ratio = table[, 4]
    ))
  }
}
save_result(balance, "balance", "MatchIt")

# Weighted means and variances: cov.wt(method = "unbiased") of base R.
weighted <- NULL
design <- model.matrix(update(TRAITS, ~ . - 1), people, contrasts.arg = lapply(people[c("sex", "diploma")], contrasts, contrasts = FALSE))
for (term in colnames(design)) for (arm in 0:1) {
  rows <- people$arm == arm
  found <- cov.wt(design[rows, term, drop = FALSE], people$weight[rows] / sum(people$weight[rows]), method = "unbiased")
  weighted <- rbind(weighted, data.frame(term = term, arm = arm, mean = found$center, variance = found$cov[1, 1]))
}
save_result(weighted, "balance_weighted", "stats")

# Logistic regressions: loss and arm on the traits; likelihood ratio, or Wald on HC0 with weights.
control <- glm.control(epsilon = 1e-14, maxit = 100)
logit <- tests <- NULL
fits <- list()
for (outcome in c("lost", "arm")) for (weight in c("", "weight")) {
  model <- as.formula(paste(outcome, "~", right))
  people$w <- if (weight == "") 1 else people$weight
  family <- if (weight == "") binomial() else quasibinomial()
  fit <- glm(model, family, people, weights = w, control = control)
  # Once more from the solution: vcov() is that of the last step but one.
  fit <- glm(model, family, people, weights = w, control = control, start = coef(fit))
  fits[[paste0(outcome, weight)]] <- fit
  vcov <- if (weight == "") vcov(fit) else vcovHC(fit, type = "HC0")
  logit <- rbind(logit, data.frame(
    outcome = outcome, weight = weight, term = names(coef(fit)), estimate = coef(fit), se = sqrt(diag(vcov))
  ))
  null <- glm(as.formula(paste(outcome, "~ 1")), family, people, weights = w, control = control)
  if (weight == "") {
    statistic <- null$deviance - fit$deviance
  } else {
    statistic <- waldtest(fit, null, vcov = vcov, test = "Chisq")[2, "Chisq"]
  }
  df <- length(coef(fit)) - 1
  tests <- rbind(tests, data.frame(
    outcome = outcome, weight = weight, statistic = statistic, df = df, p = pchisq(statistic, df, lower.tail = FALSE)
  ))
}
save_result(logit, "logit", "sandwich")
save_result(tests, "logit_tests", "lmtest")

# Losses by arm: Wilson's intervals and the pooled test of prop.test, Newcombe's interval from them.
losses <- NULL
counts <- table(people$arm, people$lost)
for (arm in 0:1) {
  test <- prop.test(counts[arm + 1, 2], sum(counts[arm + 1, ]), correct = FALSE)
  losses <- rbind(losses, data.frame(
    group = c("control", "treated")[arm + 1], rate = unname(test$estimate), low = test$conf.int[1],
    high = test$conf.int[2], statistic = NA, p = NA
  ))
}
gap <- losses$rate[2] - losses$rate[1]
test <- prop.test(counts[2:1, 2], rowSums(counts)[2:1], correct = FALSE)
losses <- rbind(losses, data.frame(
  group = "difference", rate = gap,
  low = gap - sqrt((losses$rate[2] - losses$low[2])^2 + (losses$high[1] - losses$rate[1])^2),
  high = gap + sqrt((losses$high[2] - losses$rate[2])^2 + (losses$rate[1] - losses$low[1])^2),
  statistic = sign(gap) * sqrt(unname(test$statistic)), p = test$p.value
))
save_result(losses, "attrition_rates", "stats")

# Weights, one column each.
stay <- 1 - fitted(fits$lost)
by_arm <- fitted(glm(I(1 - lost) ~ arm, binomial(), people, control = control))
score <- fitted(fits$arm)
scorew <- fitted(fits$armweight)
present <- people$lost == 0
arm <- people$arm
trim <- function(w, groups, q) {
  top <- ave(w, groups, FUN = function(x) quantile(x, q))
  pmin(w, top)
}
ate <- ifelse(arm == 1, 1 / score, 1 / (1 - score))
weights <- data.frame(
  person = people$person,
  attrition = ifelse(present, 1 / stay, NA),
  attrition_stabilised = ifelse(present, mean(present) / stay, NA),
  attrition_by_arm = ifelse(present, by_arm / stay, NA),
  att = ifelse(arm == 1, 1, score / (1 - score)),
  ate = ate,
  ate_stabilised = ate * ifelse(arm == 1, mean(arm), 1 - mean(arm)),
  ate_trimmed = trim(ate, arm, 0.9),
  att_survey = people$weight * ifelse(arm == 1, 1, scorew / (1 - scorew))
)
trimmed <- weights$attrition
trimmed[present] <- pmin(trimmed[present], quantile(trimmed[present], 0.9))
weights$attrition_trimmed <- trimmed
save_result(weights, "weights", "stats")

# Comparison of weighted means at the last wave, among those seen.
panel <- data_of("panel")
last <- panel[panel$wave == max(panel$wave), ]
people$income <- last$income[match(people$person, last$person)]
people$use <- weights$ate * people$weight
fit <- lm(income ~ arm, people, weights = use)
effects <- NULL
for (type in c("HC0", "HC1", "HC2")) {
  se <- sqrt(vcovHC(fit, type = type)["arm", "arm"])
  effects <- rbind(effects, data.frame(se_type = type, package = "sandwich", estimate = coef(fit)[["arm"]], se = se, df = Inf))
}
se <- sqrt(vcovCL(fit, cluster = people$base_zone, type = "HC1", cadjust = TRUE)["arm", "arm"])
effects <- rbind(effects, data.frame(se_type = "CR1", package = "sandwich", estimate = coef(fit)[["arm"]], se = se, df = 11))
# The working model of ours, variance inversely proportional to the weight, is that of rows multiplied
# by the root of their weight; see regressions.R.
root <- sqrt(people$use)
scaled <- data.frame(y = people$income * root, one = root, arm = people$arm * root)
fit <- lm(y ~ 0 + one + arm, scaled)
found <- coef_test(fit, vcov = vcovCR(fit, people$base_zone, type = "CR2"), test = "Satterthwaite")["arm", ]
df <- if ("df_Satt" %in% names(found)) found$df_Satt else found$df
effects <- rbind(effects, data.frame(se_type = "CR2", package = "clubSandwich", estimate = found$beta, se = found$SE, df = df))
save_result(effects, "weighted_effect", "clubSandwich")

# Greedy nearest neighbours, by package Matching. (MatchIt 4.5.1 takes the nearest neighbour below,
# even where a free one above is nearer.) All the people of an arm against those of the other are
# too few to match without replacement: those who entered in 2023 against the never treated.
# Match() serves the rows in order: they are sorted first.
suppressMessages(library(Matching))
pool <- people[people$first %in% c(0, 2023), ]
model <- glm(as.formula(paste("arm ~", right)), binomial(), pool, control = control)
pool$logit <- predict(model)
pool$score <- fitted(model)
pairs <- NULL
add_pairs <- function(case, on, by, ratio = 1, replace = FALSE, caliper = NULL) {
  rows <- pool[order(by), ]
  x <- rows[[on]]
  # A caliper of ours is in root mean variances of the arms, one of Match() in deviations of all.
  if (!is.null(caliper)) caliper <- caliper * sqrt((var(x[rows$arm == 1]) + var(x[rows$arm == 0])) / 2) / sd(x)
  set.seed(1)
  fit <- Match(Tr = rows$arm == 1, X = x, M = ratio, replace = replace, ties = FALSE, caliper = caliper, distance.tolerance = 1e-14)
  pairs <<- rbind(pairs, data.frame(
    case = case, treated = rows$person[fit$index.treated], control = rows$person[fit$index.control]
  ))
}
falling <- -pool$logit
add_pairs("one", "logit", falling)
add_pairs("caliper", "logit", falling, caliper = 0.2)
add_pairs("smallest", "logit", -falling)
add_pairs("data", "logit", seq_len(nrow(pool)))
add_pairs("replace", "logit", falling, replace = TRUE)
add_pairs("replace_two", "logit", falling, ratio = 2, replace = TRUE)
add_pairs("score", "score", falling)
save_result(pairs, "nearest_match", "Matching")
