// SPDX-License-Identifier: MIT
// Code on which the harness of emitted-code tests is tested: two equal loops and one that is not.
#include <cmath>

float dot_one(const float* a, const float* b, int n);
float dot_two(const float* a, const float* b, int n);
float dot_checked(const float* a, const float* b, int n);

float dot_one(const float* a, const float* b, int n) {
    float sum = 0;
    for (int i = 0; i < n; ++i) sum = std::fma(a[i], b[i], sum);
    return sum;
}

float dot_two(const float* a, const float* b, int n) {
    float sum = 0;
    for (int i = 0; i < n; ++i) sum = std::fma(a[i], b[i], sum);
    return sum * 2;
}

float dot_checked(const float* a, const float* b, int n) {
    float sum = 0;
    for (int i = 0; i < n; ++i) {
        sum = std::fma(a[i], b[i], sum);
        if (sum > 8) sum = 8;
    }
    return sum;
}
