extern "C" int vision_placeholder(void) { return 0; }
