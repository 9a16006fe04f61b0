module lazyscope.io/bench/load

go 1.26
