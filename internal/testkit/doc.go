// Package testkit gives tests the servers that they run against: one broker, one object store and one ClickHouse engine
// for each test process, started when first asked for.
//
// A test package that uses it has
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
//
// and then asks Kafka, S3 or ClickHouse for an address. By default these are the embedded servers on free loopback
// ports and a temporary folder. COLDSTREAM_TEST_KAFKA=host:port and COLDSTREAM_TEST_S3=host:port,key,secret put real
// ones in their place, which is how the conformance suites run on Apache Kafka and MinIO. Tests share the servers, so
// each uses topics, groups, buckets and databases of its own: Name, Topic, S3 and ClickHouse give fresh ones.
//
// Eventually is the only way to wait. Only test files import this package.
package testkit
