// Package objectstore is an S3 store for one machine: versitygw over a folder.
//
// [Start] serves the folder from this process, [StartChild] from a child of it, as [Config] says; both return a [Store].
// Objects are files below objects/BUCKET; their ETags and types are attributes of these files or, where the file system has
// none (tmpfs before Linux 6.6), files below sidecar/. Conditional writes (If-None-Match, If-Match) have one winner. The
// conformance suite beside this file runs on it and on MinIO alike.
//
// How it fails: a folder in use or a busy port fail Start. A full disk is a 5xx, and the object that was being written
// does not exist. An upload that a crash cuts off leaves no object. A child that dies closes [Store.Done]. After a power
// cut, as opposed to a killed process, objects written last may be gone: versitygw does not sync.
//
// What it will not do: TLS, users beside the one account, versions, a key that is both an object and the folder of others
// (`a` and `a/b`), names longer than 255 bytes between two slashes.
//
// Three things about versitygw 1.8.0 that this package lives with:
//
//   - It changes the working directory of its process and depends on it. A program that calls Start resolves its relative
//     paths before and does not change directory afterwards. StartChild has no such effect.
//   - One store a process; several need children. ChildMain must then come first in main (or TestMain).
//   - It answers the request after an empty upload with 400, and breaks the connection of a large refused one:
//     middleware.go mends both.
package objectstore
