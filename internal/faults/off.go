//go:build !faults

package faults

import "time"

// Built says whether this is a build with fault points. Limits that keep users from harm do not hold there: a test has
// no hour to wait.
const Built = false

// Point marks a step of the protocol. It does nothing in this build, and costs nothing: it is inlined away.
func Point(Step) {}

// Now is time.Now.
func Now() time.Time { return time.Now() }
