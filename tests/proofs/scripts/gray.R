# Gray's test of package cmprsk: two or four groups, with and without strata, all weights.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
suppressMessages(library(cmprsk))

people <- data_of("people")
found <- NULL
for (by in c("arm", "diploma", "base_zone")) for (strata in c("", "sex")) for (rho in c(0, 0.5, 1)) {
  layers <- if (strata == "") rep(1, nrow(people)) else people[[strata]]
  tests <- cuminc(people$duration, people$cause, people[[by]], layers, rho = rho)$Tests
  found <- rbind(found, data.frame(
    by = by, strata = strata, rho = rho, cause = rownames(tests), chisq = tests[, "stat"], df = tests[, "df"], p = tests[, "pv"]
  ))
}
save_result(found, "gray", "cmprsk")
