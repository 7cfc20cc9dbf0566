# Regression of Fine and Gray, crr of package cmprsk: both causes, with ties and without.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
suppressMessages(library(cmprsk))

people <- data_of("people")
designs <- list(
  arm = model.matrix(~ arm, people)[, -1, drop = FALSE],
  traits = model.matrix(~ arm + age + diploma, people)[, -1]
)
found <- NULL
for (ties in c(TRUE, FALSE)) for (code in 1:2) for (name in names(designs)) {
  # A thousandth of the number of the person: no two leave together.
  time <- people$duration + if (ties) 0 else people$person / 1000
  fit <- crr(time, people$cause, designs[[name]], failcode = code, gtol = 1e-16, maxiter = 200)
  found <- rbind(found, data.frame(
    ties = ties, code = code, design = name, term = colnames(designs[[name]]),
    coefficient = fit$coef, se = sqrt(diag(fit$var))
  ))
}
save_result(found, "fine_gray", "cmprsk")
