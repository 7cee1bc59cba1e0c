// Package runner keeps a consortium of several nodes on one machine: homes, genesis, keys and processes on loopback. It is what
// `xinlian localnet` and `xinlian demo` stand on.
//
// It promises that the processes are real ones, started from the same program and ended with real signals, so that what holds here
// under kill and pause holds for machines; that it signals only processes which it started itself (the process number and the
// moment of its start must both be the recorded ones); and that DIR/localnet.json is at any moment a whole description.
//
// Once a network runs, runner knows it through its gateways only.
//
// Trust: none is deserved. The keys of every member lie side by side under one passphrase; the agencies and firms are synthetic.
package runner
