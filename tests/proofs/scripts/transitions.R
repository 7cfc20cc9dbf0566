# Passages between statuses (msm), their rates, the shares by wave and the times spent (base R).
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))), "common.R"))
library(msm)

people <- data_of("people")
panel <- merge(data_of("panel"), people[c("person", "arm", "weight")], by = "person")
panel <- panel[order(panel$person, panel$wave), ]
STATES <- sort(unique(panel$status))
panel$state <- match(panel$status, STATES)

# msm counts passages between successive rows of a subject, whatever the time between them. Cutting
# a subject where a wave is missing leaves the passages of one wave only.
counts <- NULL
add_counts <- function(case, group, rows, subject) {
  table <- statetable.msm(state, subject, data = data.frame(state = rows$state, subject = subject))
  full <- matrix(0, length(STATES), length(STATES), dimnames = list(STATES, STATES))
  full[as.integer(rownames(table)), as.integer(colnames(table))] <- table
  share <- prop.table(full, 1)
  for (from in STATES) for (to in STATES) {
    counts <<- rbind(counts, data.frame(
      case = case, group = group, from = from, to = to, n = full[from, to], rate = share[from, to]
    ))
  }
}
spell <- function(rows) {
  new <- c(TRUE, diff(rows$wave) != 1 | diff(rows$person) != 0)
  cumsum(new)
}
seen <- panel[panel$seen == 1, ]
add_counts("all", "", panel, panel$person)
add_counts("seen", "", seen, spell(seen))
for (arm in 0:1) {
  rows <- seen[seen$arm == arm, ]
  add_counts("seen_by_arm", arm, rows, spell(rows))
}
# Two waves apart: the odd and the even waves of a person are two subjects.
parity <- panel[order(panel$person, panel$wave %% 2, panel$wave), ]
add_counts("lag2", "", parity, paste(parity$person, parity$wave %% 2))
save_result(counts, "transitions", "msm")

# Weighted passages, distribution by wave, mean times: contingency tables of base R.
weighted <- NULL
ahead <- merge(seen, transform(seen, wave = wave - 1)[c("person", "wave", "status")], by = c("person", "wave"), suffixes = c("", "_next"))
table <- xtabs(weight ~ status + status_next, ahead)
share <- prop.table(table, 1)
for (from in STATES) for (to in STATES) {
  weighted <- rbind(weighted, data.frame(from = from, to = to, n = table[from, to], rate = share[from, to]))
}
save_result(weighted, "transitions_weighted", "stats")

shares <- NULL
for (case in c("seen", "weight")) {
  seen$w <- if (case == "weight") seen$weight else 1
  table <- xtabs(w ~ wave + status, seen)
  share <- prop.table(table, 1)
  entropy <- apply(share, 1, function(p) -sum(ifelse(p > 0, p * log(p), 0)) / log(length(STATES)))
  for (wave in rownames(table)) for (state in STATES) {
    shares <- rbind(shares, data.frame(
      case = case, wave = wave, state = state, n = table[wave, state], share = share[wave, state],
      entropy = entropy[[wave]]
    ))
  }
}
save_result(shares, "state_distribution", "stats")

times <- NULL
table <- xtabs(~ person + status, seen)
first <- people$weight[match(as.integer(rownames(table)), people$person)]
for (case in c("seen", "weight")) {
  w <- if (case == "weight") first else rep(1, nrow(table))
  mean_time <- apply(table, 2, weighted.mean, w)
  for (state in STATES) {
    times <- rbind(times, data.frame(
      case = case, state = state, mean_time = mean_time[[state]], share = mean_time[[state]] / sum(mean_time), n = sum(w)
    ))
  }
}
save_result(times, "mean_time", "stats")

# Retention: share of all people seen at each wave, Wilson's interval (prop.test without correction).
kept <- NULL
for (arm in 0:1) for (wave in sort(unique(panel$wave))) {
  rows <- panel[panel$arm == arm & panel$wave == wave, ]
  test <- prop.test(sum(rows$seen), nrow(rows), correct = FALSE, conf.level = 0.9)
  kept <- rbind(kept, data.frame(
    group = arm, wave = wave, n_expected = nrow(rows), n_present = sum(rows$seen),
    retention = unname(test$estimate), low = test$conf.int[1], high = test$conf.int[2]
  ))
}
save_result(kept, "retention", "stats")

# Waves at which people are seen, as a pattern and as a number; first wave at which a status is seen.
present <- with(panel, tapply(seen, list(person, wave), sum))
patterns <- sort(table(apply(ifelse(present == 1, "1", "."), 1, paste, collapse = "")), decreasing = TRUE)
save_result(data.frame(pattern = names(patterns), n = as.vector(patterns)), "participation", "stats")
numbers <- table(rowSums(present))
save_result(data.frame(n_waves = names(numbers), n = as.vector(numbers)), "waves_per_person", "stats")
# Both at one wave is refused by ours, even after the end: these people are told.
waves <- do.call(rbind, lapply(split(seen, seen$person), function(rows) {
  jobs <- rows$wave[rows$status == "emploi"]
  gone <- rows$wave[rows$zone == "ailleurs"]
  end <- min(jobs, gone, max(rows$wave))
  data.frame(
    person = rows$person[1], clash = length(intersect(jobs, gone)) > 0, duration = end - min(rows$wave),
    event = if (end %in% jobs) 1 else if (end %in% gone) 2 else 0
  )
}))
save_result(waves, "event_times", "stats")
