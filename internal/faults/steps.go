// Package faults names the steps of the cold path's protocol, so that a test can kill or freeze a process exactly there.
//
// The two functions to know are [Point] and [Now]. In the binary that users run both are as good as absent: Point is an empty
// function and Now is time.Now. Built with the tag `faults`, a process that is started with COLDSTREAM_FAULTS=<path of
// a Unix socket> tells whoever listens there which step it has come to, and goes on when it is answered; who listens may
// kill or stop it meanwhile, and may step its clock. bench/chaos is who listens.
//
// The package injects nothing by itself, and a lost connection only means that nobody is asked any more.
package faults

// Step is a named place in the protocol.
type Step string

// Steps of a worker, in the order in which a checkpoint comes to them.
const (
	WorkerAssign     Step = "worker.assign"      // where to start is known, nothing is read yet
	WorkerRevoke     Step = "worker.revoke"      // partitions are to be given back, what is held of them is not durable yet
	WorkerRevoked    Step = "worker.revoked"     // it is durable, the group is not told yet
	WorkerClosed     Step = "worker.closed"      // a checkpoint is closed, nothing of it is uploaded
	WorkerBuilt      Step = "worker.built"       // a file is built, not uploaded
	WorkerUploaded   Step = "worker.uploaded"    // all files are on the store, nobody knows of them
	WorkerTxnBegun   Step = "worker.txn-begun"   // the transaction is open here, the broker has not heard of it
	WorkerProduced   Step = "worker.produced"    // the record is in `chunks`, not committed
	WorkerTxnAdded   Step = "worker.txn-added"   // the group is in the transaction
	WorkerTxnOffsets Step = "worker.txn-offsets" // the offsets are in the transaction
	WorkerTxnEnded   Step = "worker.txn-ended"   // the broker has committed, the worker still holds the rows
	WorkerReleased   Step = "worker.released"    // the rows are let go
)

// Steps of a committer. Workers that register a source come to those from CommitterStaged on, too.
const (
	CommitterPolled Step = "committer.polled" // records of `chunks` were read
	CommitterLoaded Step = "committer.loaded" // the table's newest version is known
	CommitterJudged Step = "committer.judged" // the records fit its position, and their files are there
	CommitterStaged Step = "committer.staged" // manifests and list are written, the version is not
	CommitterPut    Step = "committer.put"    // the version is written
	CommitterSettle Step = "committer.settle" // whether it is written is not known
	CommitterHinted Step = "committer.hinted" // the hint is moved
	CommitterShown  Step = "committer.shown"  // the group's offset is committed, for tools
)

// Steps of the upkeep. A compaction and an expiry come to those of a committer from CommitterStaged on, too.
const (
	CompactMerged  Step = "compact.merged"  // the new files are on the store, not compared yet
	CompactListed  Step = "compact.listed"  // they are compared, and what was removed is listed; the table has the old ones
	CompactSwapped Step = "compact.swapped" // the table has the new ones
	ExpireForgot   Step = "expire.forgot"   // the newest version has forgotten old snapshots, old versions can still be read
	ExpireBuried   Step = "expire.buried"   // one of them is a tombstone
	SweepFenced    Step = "sweep.fenced"    // writers that slept are fenced
	SweepListed    Step = "sweep.listed"    // what may go is known, and nothing is gone
	SweepDeleted   Step = "sweep.deleted"   // one object is gone
)

// WorkerSteps, CommitterSteps and UpkeepSteps are all of them.
var (
	WorkerSteps = []Step{
		WorkerAssign, WorkerRevoke, WorkerRevoked, WorkerClosed, WorkerBuilt, WorkerUploaded, WorkerTxnBegun,
		WorkerProduced, WorkerTxnAdded, WorkerTxnOffsets, WorkerTxnEnded, WorkerReleased,
	}
	CommitterSteps = []Step{
		CommitterPolled, CommitterLoaded, CommitterJudged, CommitterStaged, CommitterPut, CommitterSettle, CommitterHinted, CommitterShown,
	}
	UpkeepSteps = []Step{CompactMerged, CompactListed, CompactSwapped, ExpireForgot, ExpireBuried, SweepFenced, SweepListed, SweepDeleted}
)
