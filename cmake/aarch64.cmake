# SPDX-License-Identifier: Apache-2.0
# Cross build for 64-bit ARM on Debian: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross; tests run under qemu-user.
# QEMU_CPU says which processor that is: max (all levels), cortex-a53 (plain NEON).
# cmake --toolchain cmake/aarch64.cmake -DPARE_KERNELS_ONLY=ON
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
