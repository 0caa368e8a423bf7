/**
 * The configuration of a cluster of one: a single copy of everything, on a file instead of a disk, and with cephx, without
 * which the gateway hangs.
 * @param {{ folder: string, clusterId: string, monitors: string, gatewayPort: number }} cluster
 */
export const configurationOf = ({ folder, clusterId, monitors, gatewayPort }) => `
[global]
fsid = ${clusterId}
mon host = ${monitors}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = ${folder}/keyring
run dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
pid file = ${folder}/run/$name.pid
log file = ${folder}/log/$name.log
mon cluster log file = ${folder}/log/cluster.log
crash dir = ${folder}/log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd crush update on start = false
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
[mon.a]
mon data = ${folder}/mon
keyring = ${folder}/mon/keyring
mon data avail crit = 1
mon data avail warn = 2
[osd.0]
osd data = ${folder}/osd
keyring = ${folder}/osd/keyring
osd objectstore = bluestore
osd memory target = 939524096
bluestore block size = 4294967296
[client.rgw.a]
rgw data = ${folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:${gatewayPort} tcp_nodelay=1
rgw dns name = 127.0.0.1
`
