// Package docs holds the tests of the documentation: what a page says that the system does is done, and compared.
// It has no code to call.
package docs
