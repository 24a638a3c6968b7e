package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// The product's engine refuses every engine of tables that reaches other hosts, by its grants, its front and the kernel's
// sandbox. So ClickHouse's own Kafka engine runs in a child of this program that loads the same library over the same
// folder with grants of its own, and answers statements on its standard input.
const envRival = "COLDSTREAM_BENCH_RIVAL" // set: this process is that child; its value is a rivalSetup

type rivalSetup struct {
	Library string   `json:"library"`
	Args    []string `json:"args"`
}

type rivalAnswer struct {
	Rows  string `json:"rows"`
	Error string `json:"error"`
}

// rivalMain serves as the child and does not return, if this process was started as one.
func rivalMain() {
	text := os.Getenv(envRival)
	if text == "" {
		return
	}
	var setup rivalSetup
	err := json.Unmarshal([]byte(text), &setup)
	if err == nil {
		err = serveRival(setup, json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		fmt.Fprintln(os.Stderr, "bench-hot: the Kafka engine's process:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serveRival answers statements, each a JSON text, until there are none any more.
func serveRival(setup rivalSetup, in *json.Decoder, out *json.Encoder) error {
	ask, err := openLibrary(setup)
	if err != nil {
		return err
	}
	for {
		var sql string
		if err := in.Decode(&sql); err != nil {
			return err
		}
		var a rivalAnswer
		if a.Rows, err = ask(sql); err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
}

// openLibrary loads libchdb and opens one connection; ask runs a statement on it.
func openLibrary(setup rivalSetup) (ask func(sql string) (string, error), err error) {
	lib, err := purego.Dlopen(setup.Library, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, err
	}
	var connect func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	var query func(conn, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr) unsafe.Pointer
	var buffer func(result unsafe.Pointer) unsafe.Pointer
	var length func(result unsafe.Pointer) uintptr
	var failure func(result unsafe.Pointer) string
	var destroy func(result unsafe.Pointer)
	var signals func(on int32)
	for name, fn := range map[string]any{
		"chdb_connect": &connect, "chdb_query_n": &query, "chdb_result_buffer": &buffer, "chdb_result_length": &length,
		"chdb_result_error": &failure, "chdb_destroy_query_result": &destroy, "chdb_set_signal_handlers_enabled": &signals,
	} {
		purego.RegisterLibFunc(fn, lib, name)
	}
	signals(0) // Go's runtime keeps its own
	var pin runtime.Pinner
	defer pin.Unpin()
	text := func(s string) unsafe.Pointer {
		b := append([]byte(s), 0)
		pin.Pin(&b[0])
		return unsafe.Pointer(&b[0])
	}
	argv := []unsafe.Pointer{text("clickhouse")}
	for _, a := range setup.Args {
		argv = append(argv, text(a))
	}
	conn := connect(int32(len(argv)), unsafe.Pointer(&argv[0]))
	if conn == nil {
		return nil, errors.New("libchdb refused a connection")
	}
	return func(sql string) (string, error) {
		b, f := []byte(sql), []byte("TabSeparatedRaw")
		r := query(*(*unsafe.Pointer)(conn), unsafe.Pointer(&b[0]), uintptr(len(b)), unsafe.Pointer(&f[0]), uintptr(len(f)))
		defer destroy(r)
		if e := failure(r); e != "" {
			return "", errors.New(e)
		}
		n := length(r)
		if n == 0 {
			return "", nil
		}
		return string(unsafe.Slice((*byte)(buffer(r)), n)), nil
	}, nil
}

// rivalProcess is the child, as its parent sees it.
type rivalProcess struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func startRival(setup rivalSetup) (*rivalProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(setup)
	if err != nil {
		return nil, err
	}
	p := &rivalProcess{cmd: exec.Command(self)}
	p.cmd.Env = append(os.Environ(), envRival+"="+string(text), "TZ=UTC")
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = json.NewDecoder(out)
	return p, p.cmd.Start()
}

// ask runs a statement.
func (p *rivalProcess) ask(sql string) (string, error) {
	if err := json.NewEncoder(p.in).Encode(sql); err != nil {
		return "", err
	}
	var a rivalAnswer
	if err := p.out.Decode(&a); err != nil {
		return "", fmt.Errorf("the Kafka engine's process: %w", err)
	}
	if a.Error != "" {
		return "", fmt.Errorf("%s: %s", sql, a.Error)
	}
	return a.Rows, nil
}

// close ends it: its input ends.
func (p *rivalProcess) close() {
	_ = p.in.Close()
	_ = p.cmd.Process.Kill() // its data goes in any case, and the engine's end takes its time
	_ = p.cmd.Wait()
}
