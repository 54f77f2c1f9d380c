# Compile and link settings shared by every target, carried by one INTERFACE target.
find_program(SWORN_CCACHE ccache)
if(SWORN_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SWORN_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${SWORN_CCACHE})
endif()

# Line tables and function names are what a backtrace needs; full debug information costs a third of the time
# and three quarters of the size.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
if(SWORN_SANITIZE)
  set(CMAKE_CXX_FLAGS_DEBUG "-Og -g1")  # the sweeps over whole files take minutes without any optimisation
endif()

add_library(sworn_settings INTERFACE)
target_include_directories(sworn_settings INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(sworn_settings INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64 _GLIBCXX_ASSERTIONS)
target_compile_options(sworn_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Wcast-align -Wformat=2 -Wimplicit-fallthrough
  -fstack-protector-strong -fstack-clash-protection -fcf-protection -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(sworn_settings INTERFACE -Wduplicated-cond -Wlogical-op)
endif()
if(SWORN_WERROR)
  target_compile_options(sworn_settings INTERFACE -Werror)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT SWORN_SANITIZE)
  # Debian's compilers may predefine another level.
  target_compile_options(sworn_settings INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
target_link_options(sworn_settings INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()

if(SWORN_SANITIZE)
  target_compile_options(sworn_settings INTERFACE -fsanitize=${SWORN_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(sworn_settings INTERFACE -fsanitize=${SWORN_SANITIZE})
  target_compile_definitions(sworn_settings INTERFACE SWORN_SANITIZED=1)
endif()
if(SWORN_FUZZ)
  target_compile_options(sworn_settings INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(sworn_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SWORN_COVERAGE)
  target_compile_options(sworn_settings INTERFACE --coverage)
  target_link_options(sworn_settings INTERFACE --coverage)
endif()
