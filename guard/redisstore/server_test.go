package redisstore_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// server starts redis-server, or valkey-server, on a loopback port.
func server(t testing.TB, args ...string) (cmd *exec.Cmd, addr string) {
	binary := ""
	for _, name := range []string{os.Getenv("STYTCHB2B_TEST_REDIS"), "redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			binary = path
			break
		}
	}
	if binary == "" {
		t.Skip("there is no redis-server or valkey-server on this machine")
	}
	for range 5 {
		if cmd, addr := start(t, binary, args); cmd != nil {
			return cmd, addr
		}
	}
	require.Fail(t, binary+" does not start")
	return nil, ""
}

// start returns nil where the port, or the second one of a server in a cluster,
// was given to somebody else after all.
func start(t testing.TB, binary string, args []string) (*exec.Cmd, string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	own := []string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir()}
	if len(args) > 0 && !strings.HasPrefix(args[0], "--") { // A configuration file comes first.
		own, args = append([]string{args[0]}, own...), args[1:]
	}
	args = append(own, args...)
	return run(t, exec.Command(binary, args...), addr), addr
}

// run starts the command, and returns it when the server answers; nil if it ends.
func run(t testing.TB, cmd *exec.Cmd, addr string) *exec.Cmd {
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = cmd.Process.Kill()
		<-ended
	})
	client := connect(t, addr)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		select {
		case <-ended:
			return nil
		case <-late:
			require.Fail(t, cmd.Path+" does not answer")
		case <-tick.C:
			if client.Ping(t.Context()).Err() == nil {
				return cmd
			}
		}
	}
}

// again starts a server that was killed, with the same arguments.
func again(t testing.TB, cmd *exec.Cmd, addr string) *exec.Cmd {
	for range 100 { // The killed one may still have the port.
		if cmd := run(t, exec.Command(cmd.Path, cmd.Args[1:]...), addr); cmd != nil {
			return cmd
		}
	}
	require.Fail(t, "it does not start again")
	return nil
}

// sentinel starts a master, its replica, and a Sentinel that watches them under the
// name "guard".
func sentinel(t testing.TB) (master *exec.Cmd, masterAddr, replicaAddr, sentinelAddr string) {
	ctx := t.Context()
	master, masterAddr = server(t)
	host, port, err := net.SplitHostPort(masterAddr)
	require.NoError(t, err)
	_, replicaAddr = server(t, "--replicaof", host+" "+port)
	client := connect(t, replicaAddr)
	require.Eventually(t, func() bool {
		return strings.Contains(client.Info(ctx, "replication").Val(), "master_link_status:up")
	}, time.Minute, 20*time.Millisecond)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `sentinel monitor guard %s %s 1
sentinel down-after-milliseconds guard 500
sentinel failover-timeout guard 5000
`, host, port), 0o600))
	_, sentinelAddr = server(t, conf, "--sentinel")
	client = connect(t, sentinelAddr)
	require.Eventually(t, func() bool {
		replicas, err := client.Do(ctx, "SENTINEL", "REPLICAS", "guard").Slice()
		return err == nil && len(replicas) == 1
	}, time.Minute, 20*time.Millisecond, "the Sentinel knows the replica")
	return master, masterAddr, replicaAddr, sentinelAddr
}

// cluster starts a cluster of masters and as many replicas, and returns what each
// answers at; the masters come first.
func cluster(t testing.TB, masters int) (cmds []*exec.Cmd, addrs []string) {
	for range 2 * masters {
		cmd, addr := server(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
		cmds, addrs = append(cmds, cmd), append(addrs, addr)
	}
	ctx := t.Context()
	eventually := func(says string, addrs []string, is func(*redis.Client) bool) {
		for _, addr := range addrs {
			client := connect(t, addr)
			require.Eventually(t, func() bool { return is(client) }, time.Minute, 20*time.Millisecond, says)
		}
	}
	for i, addr := range addrs {
		client := connect(t, addr)
		if i < masters {
			require.NoError(t, client.ClusterAddSlotsRange(ctx, i*16384/masters, (i+1)*16384/masters-1).Err())
		}
		host, port, err := net.SplitHostPort(addrs[0])
		require.NoError(t, err)
		require.NoError(t, client.ClusterMeet(ctx, host, port).Err())
	}
	eventually("all know all", addrs, func(c *redis.Client) bool {
		nodes := c.ClusterNodes(ctx).Val()
		return strings.Count(nodes, "connected") == len(addrs) && !strings.Contains(nodes, "handshake")
	})
	for i, addr := range addrs[masters:] {
		master := connect(t, addrs[i]).Do(ctx, "CLUSTER", "MYID").Val()
		client := connect(t, addr)
		require.Eventually(t, func() bool { return client.Do(ctx, "CLUSTER", "REPLICATE", master).Err() == nil }, time.Minute, 20*time.Millisecond)
	}
	eventually("the cluster is whole", addrs, func(c *redis.Client) bool {
		return strings.Contains(c.ClusterInfo(ctx).Val(), "cluster_state:ok") && strings.Count(c.ClusterNodes(ctx).Val(), "slave") == masters
	})
	eventually("replicas replicate", addrs[masters:], func(c *redis.Client) bool {
		return strings.Contains(c.Info(ctx, "replication").Val(), "master_link_status:up")
	})
	return cmds, addrs
}
