# Missing indicators by EM: means and covariances of package Amelia, and what they lead to expect.
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
suppressMessages(library(Amelia))

rows <- data_of("indicators")
values <- as.matrix(rows[, -1])
# More holes than the panel has: every third value of two columns.
values[c(3, 6, 9), "emploi"] <- NA
values[c(4, 8, 12), "chomage"] <- NA
# A single run on the rows themselves: its parameters are those of maximum likelihood.
fit <- amelia(values, m = 1, p2s = 0, boot.type = "none", tolerance = 1e-12, incheck = FALSE, emburn = c(0, 20000))
# Amelia works on columns ordered by their number of holes, and gives its parameters in that order
# under the names of the order received.
place <- order(order(colSums(is.na(values))))
mean <- as.vector(fit$mu[, 1])[place]
covariance <- unname(fit$covMatrices[, , 1])[place, place]
# They are those of columns put at mean 0 and deviation 1 by what is known.
centre <- colMeans(values, na.rm = TRUE)
deviation <- apply(values, 2, sd, na.rm = TRUE)
scaled <- scale(values, centre, deviation)
found <- NULL
for (i in seq_len(nrow(values))) {
  gone <- is.na(values[i, ])
  if (!any(gone)) next
  slope <- covariance[gone, !gone, drop = FALSE] %*% solve(covariance[!gone, !gone])
  expected <- mean[gone] + slope %*% (scaled[i, !gone] - mean[!gone])
  found <- rbind(found, data.frame(
    code = rows$code[i], indicator = colnames(values)[gone], expected = as.vector(expected) * deviation[gone] + centre[gone]
  ))
}
save_result(found, "em", "Amelia")
