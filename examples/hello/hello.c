#include <stdio.h>

int main(void) {
    puts("hello from an RPM package");
    return 0;
}
