package faults

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// A disk is a file system over a directory whose reads can be made to fail.
type disk struct {
	fs.LoopbackNode
	bad *atomic.Bool
}

// mountDisk mounts a disk over source and returns where.
func mountDisk(t *testing.T, source string) (dir string, d *disk) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a file system whose reads fail")
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skipf("the kernel has no FUSE: %v", err)
	}
	bad := new(atomic.Bool)
	root := &fs.LoopbackRoot{Path: source}
	d = &disk{fs.LoopbackNode{RootData: root}, bad}
	root.RootNode = d
	dir = t.TempDir()
	server, err := fs.Mount(dir, d, &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true}})
	if err != nil {
		t.Skipf("FUSE cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return dir, d
}

// WrapChild implements fs.NodeWrapChilder: what lies on the disk is part of it.
func (d *disk) WrapChild(context.Context, fs.InodeEmbedder) fs.InodeEmbedder {
	return &disk{fs.LoopbackNode{RootData: d.RootData}, d.bad}
}

// Open implements fs.NodeOpener. Its files are read through the disk.
func (d *disk) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	h, fuseFlags, errno := d.LoopbackNode.Open(ctx, flags)
	return &diskFile{h.(fs.FileReader), d.bad}, fuseFlags, errno
}

// A diskFile is an open file of a disk.
type diskFile struct {
	fs.FileReader
	bad *atomic.Bool
}

// Read implements fs.FileReader.
func (f *diskFile) Read(ctx context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	if f.bad.Load() {
		return nil, syscall.EIO
	}
	return f.FileReader.Read(ctx, dest, off)
}

// fail makes the disk bad or good and drops the pages of a file of it from memory,
// so that they have to be read again.
func (d *disk) fail(t *testing.T, bad bool, path ...string) {
	t.Helper()
	d.bad.Store(bad)
	node := d.EmbeddedInode()
	for _, name := range path {
		if node = node.GetChild(name); node == nil {
			t.Fatalf("%q was never looked at", name)
		}
	}
	if errno := node.NotifyContent(0, 0); errno != 0 {
		t.Fatalf("dropping pages: %v", errno)
	}
}

// TestDiskFails lets reads of the mapped segment fail with EIO for a while.
func TestDiskFails(t *testing.T) {
	o := newOrigin(t, 100)
	o.served.Store(o.publish(t))
	dir, disk := mountDisk(t, o.store)
	d := serve(t, dir)
	l := newLoad(o, d.addr)
	l.mayBe = isTryLater
	l.start()
	times := size(3, 20)
	for range times {
		faults := d.metric("lancred_faults_total", "")
		disk.fail(t, true, "objects", segmentName(t, o.store))
		await(t, "lancred_faults_total to rise", func() bool { return d.metric("lancred_faults_total", "") > faults })
		await(t, "/readyz to say 503", func() bool { return !d.ready() })
		disk.fail(t, false, "objects", segmentName(t, o.store))
		await(t, "readiness with a good disk", d.ready)
		l.awaitRequests(t, 20)
	}
	r := l.finish(t, "the disk fails (EIO, by FUSE) and recovers", times)
	r.note = "503 *tryLater* meanwhile, `/readyz` 503"
	record(t, r)
	d.stop()
}
