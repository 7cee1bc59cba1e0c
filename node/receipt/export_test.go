package receipt

// AtStep calls fn between the writes of a replacement until the function that it gives is called.
func AtStep(fn func(step string)) (end func()) {
	testingOnlyAtStep = fn
	return func() { testingOnlyAtStep = func(string) {} }
}
