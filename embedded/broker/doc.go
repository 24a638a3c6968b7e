// Package broker is a Kafka broker inside this process, for one machine: kfake behind a guard, with its data on disk.
package broker
