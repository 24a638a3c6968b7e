package testkit

import (
	"context"
	"testing"

	"github.com/coldstream/coldstream/embedded/clickhouse"
	"github.com/coldstream/coldstream/internal/chhttp"
)

// ClickHouseAccess is what a client needs to use one database.
type ClickHouseAccess struct {
	Addr     string // host:port, plain HTTP
	User     string
	Password string
	Database string // fresh, dropped when the test ends
	// Analyst may only read.
	AnalystUser, AnalystPassword string
	// Lake is the bucket that the engine may read without being given keys. All tests of the process share it: use a
	// prefix of your own (Name).
	Lake S3Access
}

// engine is the shared engine with the bucket that it may read.
type engine struct {
	server *clickhouse.Server
	lake   S3Access
}

var clickHouse server[engine]

// ClickHouse returns access to a fresh database on the engine that this test process shares.
func ClickHouse(t testing.TB) ClickHouseAccess {
	t.Helper()
	e := clickHouse.get(t, "clickhouse", func(dir string) (engine, func() error, error) { return startEngine(t, dir) })
	access := ClickHouseAccess{
		Addr: e.server.Addr(), User: chUser, Password: chPassword, Database: Name(t),
		AnalystUser: chAnalyst, AnalystPassword: chPassword, Lake: e.lake,
	}
	c := ClickHouseAccess{Addr: access.Addr}.Client(t, access.User, access.Password) // the database is not there yet
	if err := c.Exec(t.Context(), "CREATE DATABASE "+access.Database); err != nil {
		t.Fatalf("testkit: create database: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Exec(context.Background(), "DROP DATABASE IF EXISTS "+access.Database); err != nil {
			t.Errorf("testkit: drop database: %v", err)
		}
	})
	return access
}

// Users of the embedded engine.
const (
	chUser     = "coldstream"
	chAnalyst  = "analyst"
	chPassword = "coldstream-test"
)

func startEngine(t testing.TB, dir string) (engine, func() error, error) {
	lake := S3(t)
	s, err := clickhouse.Start(context.Background(), clickhouse.Config{
		Dir: dir, Addr: "127.0.0.1:0", User: chUser, Password: chPassword,
		AnalystUser: chAnalyst, AnalystPassword: chPassword, Log: quiet(),
		S3: &clickhouse.S3Access{
			Endpoint: "http://" + lake.Endpoint, AccessKey: lake.AccessKey, SecretKey: lake.SecretKey, Bucket: lake.Bucket,
		},
	})
	if err != nil {
		return engine{}, nil, err
	}
	return engine{server: s, lake: lake}, s.Close, nil
}

// Client asks the database as a user, until the test ends.
func (a ClickHouseAccess) Client(t testing.TB, user, password string) *chhttp.Client {
	t.Helper()
	c, err := chhttp.New(chhttp.Config{Addr: a.Addr, User: user, Password: password, Database: a.Database})
	if err != nil {
		t.Fatalf("testkit: open ClickHouse client: %v", err)
	}
	t.Cleanup(c.CloseIdle)
	return c
}
