package watch

// OnStep has a test told of each step of a write.
func (s *Store) OnStep(fn func(did string)) { s.testingOnlyStep = fn }
