// Package clickhouse runs the ClickHouse engine (libchdb, loaded at run time, no cgo) in a child process of the same
// binary, behind ClickHouse's HTTP interface.
//
// The two types to know are [Config] and [Server]: [Start] starts the child and waits until it answers, [Server.Close]
// ends it. A program that uses the package calls [ChildMain] first in main, and its tests in TestMain: the child is the
// program itself, started again. [FindLibrary] and [FetchLibrary] are about the library (178 MB packed, 566 MB unpacked).
//
// Who may do what: the engine itself knows one user. Its grants (users.xml.tmpl) leave out files, URLs and other hosts; the
// front refuses by a statement's text what no grant stops (sqltext_refuse.go), because the library takes itself for a
// command-line tool; and the kernel, where it has Landlock, closes the process in (sandbox_linux.go). The users, the
// analyst's read-only mode and the refusal of foreign sites are the front's.
//
// How it fails: a fault of the engine ends the child and closes [Server.Done]; the parent stays and [Server.Err] says what
// the child last wrote. The child ends with its parent, also when that is killed, and nothing that it leaves stops the
// next start: what was committed is there, a half-sent insert is not.
//
// What it will not do: the native TCP protocol, TLS, users made by SQL, external tables in multipart bodies, INSERT … SELECT … FROM input() with the rows in
// the request's body, several statements in one request, progress headers while a query runs, KILL QUERY by a request's
// query_id (a request is cancelled by closing it). Linux with glibc on amd64 is the platform tried.
package clickhouse
