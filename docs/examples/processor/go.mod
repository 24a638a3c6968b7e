module example.com/acme/calm

go 1.26.0

require github.com/coldstream/coldstream v0.0.0

require (
	github.com/klauspost/cpuid/v2 v2.4.0 // indirect
	github.com/zeebo/xxh3 v1.1.0 // indirect
	go.yaml.in/yaml/v3 v3.0.6 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/coldstream/coldstream => ../../..
