// Tests of Coordination.
