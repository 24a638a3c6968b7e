// Package lint holds the rules of this repository that no general linter knows: which package may import which,
// how long a file may be, which names are not used, that every package says what it is for, and that the links of the
// documentation lead somewhere.
//
// [Tree] is a repository on disk and [Problem] one broken rule at one place. The rules are methods of Tree without
// side effects; the test of this package runs all of them over the repository, and each over a made-up tree that breaks it.
// It judges names and text only: it does not type-check and it does not repair.
package lint
