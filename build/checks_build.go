package build

// What can be wrong with the build as a whole.
var (
	checkPrevious = newForcedCheck("store.previous", always, never, "a mistake that is not compared is not found",
		"the previous generation can be opened, to compare the new one with it")
)
