// Tests of Video.
