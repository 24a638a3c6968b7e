package kafkalog_test

import (
	"testing"

	"github.com/coldstream/coldstream/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
