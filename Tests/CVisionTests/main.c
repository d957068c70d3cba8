#include "test.h"

int failures = 0;

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: test FIXTURES SECONDS\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    test_pictures();
    test_orientation();
    test_limits();
    test_raw();
    test_drawing();
    test_models(arguments[1]);
    test_fuzz(atof(arguments[2]));
    printf("CVision: %d failures\n", failures);
    return failures ? 1 : 0;
}
