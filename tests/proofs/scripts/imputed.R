# Rubin's rules and multiple imputation of package mice: what is pooled, and what its draws give.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
suppressMessages(library(mice))

people <- data_of("people")
panel <- data_of("panel")
last <- panel[panel$wave == max(panel$wave), ]
people$last <- ifelse(people$lost == 1, NA, last$income[match(people$person, last$person)])
rows <- people[c("last", "arm", "age", "base_income")]

# Ten imputations, one by one, and what pool() makes of them: the rules, to the last digit.
fits <- with(mice(rows, m = 10, maxit = 1, method = "pmm", seed = 1, printFlag = FALSE), lm(last ~ arm + age))
each <- NULL
for (i in seq_along(fits$analyses)) {
  table <- summary(fits$analyses[[i]])$coefficients
  each <- rbind(each, data.frame(draw = i, term = rownames(table), estimate = table[, 1], se = table[, 2], df = fits$analyses[[i]]$df.residual))
}
save_result(each, "rubin_each", "mice")
pooled <- pool(fits)$pooled
# fmi in full: pool() has it, with the degrees of freedom.
save_result(data.frame(
  term = as.character(pooled$term), estimate = pooled$estimate, se = sqrt(pooled$t), df = pooled$df, within = pooled$ubar,
  between = pooled$b, fmi = pooled$fmi
), "rubin_pooled", "mice")

# What the draws themselves give: 400 of them, so that little is left to chance.
many <- pool(with(mice(rows, m = 400, maxit = 1, method = "pmm", donors = 5, seed = 2, printFlag = FALSE), lm(last ~ arm)))$pooled
save_result(data.frame(
  term = as.character(many$term), estimate = many$estimate, within = many$ubar, between = many$b
), "imputed", "mice")
