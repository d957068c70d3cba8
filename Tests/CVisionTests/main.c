#include "test.h"

int failures = 0;

int main(int count, char **arguments) {
    if (count != 5) {
        fprintf(stderr, "usage: test FIXTURES BUNDLED MODELS SECONDS\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    test_engines(arguments[1], arguments[2], arguments[3]);
    test_onednn();
    // With another instruction set, only what depends on it.
    if (!getenv("ONEDNN_MAX_CPU_ISA")) {
        test_pictures();
        test_orientation();
        test_limits();
        test_raw();
        test_drawing();
        test_preprocess();
        test_input();
        test_openvino(arguments[1], arguments[2], arguments[3]);
        test_models(arguments[1]);
        test_fuzz(atof(arguments[4]));
    }
    printf("CVision: %d failures\n", failures);
    return failures ? 1 : 0;
}
