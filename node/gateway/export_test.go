package gateway

// SharedPool lists the routes that take a place of slotRequest.
func SharedPool() (patterns []string) {
	for _, rt := range routes {
		if rt.slot == slotRequest {
			patterns = append(patterns, rt.pattern())
		}
	}
	return patterns
}
