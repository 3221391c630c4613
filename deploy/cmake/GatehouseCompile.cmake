# gatehouse_options: what every target of ours is compiled and linked with.
option(GATEHOUSE_TESTS "Build the tests" ON)
option(GATEHOUSE_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(GATEHOUSE_COVERAGE "Build with gcov counters" OFF)
set(GATEHOUSE_SANITIZE "" CACHE STRING "Value for -fsanitize=, empty for none")

add_library(gatehouse_options INTERFACE)
target_include_directories(gatehouse_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(gatehouse_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wswitch -Werror -fno-omit-frame-pointer)
target_compile_definitions(gatehouse_options INTERFACE GATEHOUSE_VERSION="${PROJECT_VERSION}")
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12, when optimising, reports paths through std::expected and std::optional that cannot be, and takes a
  # pointer that a destructor puts back for one that dangles.
  target_compile_options(gatehouse_options INTERFACE -Wno-maybe-uninitialized -Wno-dangling-pointer)
endif()
if(GATEHOUSE_SANITIZE)
  target_compile_options(gatehouse_options INTERFACE
    -fsanitize=${GATEHOUSE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(gatehouse_options INTERFACE -fsanitize=${GATEHOUSE_SANITIZE})
endif()
if(GATEHOUSE_FUZZ)
  target_compile_options(gatehouse_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(GATEHOUSE_COVERAGE)
  target_compile_options(gatehouse_options INTERFACE --coverage)
  target_link_options(gatehouse_options INTERFACE --coverage)
endif()

# ccache makes a rebuild after a branch switch cheap; the build works the same without it.
find_program(GATEHOUSE_CCACHE ccache)
if(GATEHOUSE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${GATEHOUSE_CCACHE})
endif()
find_program(GATEHOUSE_MOLD mold)
if(GATEHOUSE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
