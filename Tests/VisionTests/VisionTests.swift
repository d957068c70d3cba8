// Tests of Vision.
