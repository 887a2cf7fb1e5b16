package build

// What can be wrong with the build as a whole.
var (
	checkPrevious = newForcedCheck("store.previous", always, never, "a mistake that is not compared is not found",
		"the previous generation can be opened, to compare the new one with it")
)

// What can be wrong with it beside the previous generation, and with what came of it.
var (
	checkClock = newForcedCheck("build.clock", always, never, "BR section 4.9.9",
		"the build is not earlier than the previous generation, nor than the newest producedAt in it, by more than 300 s")
	checkRhythm = newCheck("build.rhythm", never, notPrivate, "BR section 4.9.9",
		"the previous generation is at most 15 minutes old")
	checkShrunk = newForcedCheck("build.shrunk", always, never, "a source that was cut or forgotten looks like this",
		"a generation has at least 95 % of the records of the previous one, or as many as --max-shrink wants")
	checkSelf = newFixedCheck("build.self-check", "nothing is published unseen",
		"the finished segment can be read back, and answers for a sample of the responses that were packed")
)
