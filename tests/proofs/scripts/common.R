# What the scripts share: where the data are, and how results are written (15 digits, NA empty).
arguments <- commandArgs(FALSE)
here <- dirname(sub("^--file=", "", arguments[grep("^--file=", arguments)]))
data_of <- function(name) {
  read.csv(file.path(here, "..", "data", paste0(name, ".csv")), stringsAsFactors = FALSE)
}
save_result <- function(frame, name, package) {
  for (column in names(frame)) {
    if (is.numeric(frame[[column]])) {
      values <- sprintf("%.15g", frame[[column]])
      values[is.na(frame[[column]])] <- NA
      frame[[column]] <- values
    } else {
      frame[[column]] <- as.character(frame[[column]])
    }
  }
  file <- sprintf("%s__R-%s-%s.csv", name, package, packageVersion(package))
  write.csv(frame, file.path(here, "..", "results", file), row.names = FALSE, na = "", quote = FALSE)
}
