package zz
import ("testing";"net";"fmt";"bytes";"context"
"github.com/minio/minio-go/v7"
"github.com/minio/minio-go/v7/pkg/credentials")
func TestZ(t *testing.T){
 ln,_:=net.Listen("tcp","127.0.0.1:0")
 go func(){ for { c,_:=ln.Accept(); b:=make([]byte,4096); for i:=0;i<3;i++ { n,_:=c.Read(b); fmt.Printf("%q\n", b[:n]); if i==0 {c.Write([]byte("HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 0\r\n\r\n"))} } } }()
 c,_:=minio.New(ln.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4("a","b",""),Region:"us-east-1"})
 c.PutObject(context.Background(),"bucket","k",bytes.NewReader(nil),0,minio.PutObjectOptions{})
 c.PutObject(context.Background(),"bucket","k",bytes.NewReader([]byte("abc")),3,minio.PutObjectOptions{})
}
