/**
 * Whether the bucket under test is a Ceph RADOS Gateway (16): it ignores checksums that a PUT declares, and some conditions
 * that we do not build upon. What it does instead is asserted where it differs.
 */
export const isCeph: boolean = process.env['FILEGRAPH_TEST_STORE'] === 'ceph'
