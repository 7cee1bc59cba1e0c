// Package node runs one member of the network: the application, CometBFT in the same process, the HTTP server for the gateway's
// handler, metrics and a watchdog.
//
// It promises:
//   - every knob and its reason stands in one file (config.go), every metric in another (metrics.go);
//   - start order is state, engine, HTTP; stop order is HTTP, engine, state, so that nothing answers from a store that is closed;
//   - the process ends when it cannot go on (the disk failed, its own consensus routine stopped, or its peers are ahead and it
//     makes no progress), because CometBFT by itself would stay up with its consensus stopped. A network without a quorum is
//     nobody's fault: the node stays and /readyz says what power it sees.
//
// No rule is here: what a block does is decided in app and x.
//
// Trust: whoever runs the node can at most withhold its answers and its own votes. What it answers can be checked against the
// signatures of the others.
package node
