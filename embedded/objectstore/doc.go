// Package objectstore is an S3 store for one machine: versitygw over a folder.
package objectstore
