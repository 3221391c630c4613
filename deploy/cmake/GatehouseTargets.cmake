# The shapes of target this project knows.

# What is installed finds its libraries beside itself, and BoringSSL where it was found.
set(CMAKE_INSTALL_RPATH "$ORIGIN" "$ORIGIN/.." "$ORIGIN/../lib")
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

# gatehouse_add_library(NAME SOURCES ... LINKS ... [PRIVATE_LINKS ...]): a shared library of several processes.
function(gatehouse_add_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} SHARED ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC gatehouse_options ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
endfunction()

# gatehouse_add_worker_plugin(NAME SOURCES ... LINKS ...): lib/gatehouse/NAME.so, loaded by gatehouse-worker,
# and NAME_parts, the same sources as a static library for unit tests. A plugin below tests/ is not installed.
function(gatehouse_add_worker_plugin name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  set(parts ${arg_SOURCES})
  list(REMOVE_ITEM parts worker.cc)
  if(parts)
    add_library(${name}_parts STATIC ${parts})
    target_link_libraries(${name}_parts PUBLIC gatehouse_core gatehouse_ipc ${arg_LINKS})
  endif()
  add_library(${name} MODULE worker.cc)
  target_link_libraries(${name} PRIVATE gatehouse_worker_api ${arg_LINKS})
  if(parts)
    target_link_libraries(${name} PRIVATE ${name}_parts)
  endif()
  set_target_properties(${name} PROPERTIES PREFIX ""
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/gatehouse)
  if(NOT CMAKE_CURRENT_SOURCE_DIR MATCHES "^${CMAKE_SOURCE_DIR}/tests/")
    install(TARGETS ${name} LIBRARY DESTINATION lib/gatehouse)
  endif()
endfunction()

# gatehouse_add_test(NAME SOURCES ... LINKS ...): one GoogleTest program; ctest runs it under the label "unit".
function(gatehouse_add_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINKS} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

# gatehouse_add_scene(NAME LABEL label TIMEOUT seconds COMMAND ...): real programs on loopback, in a network of their
# own; ctest may run several side by side.
function(gatehouse_add_scene name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "COMMAND" ${ARGN})
  add_test(NAME ${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/own_network ${arg_COMMAND}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${arg_TIMEOUT}
    ENVIRONMENT "GATEHOUSE_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
endfunction()

# gatehouse_add_fuzzer(NAME CORPUS dir SOURCES ... LINKS ...): a libFuzzer target in the fuzz preset, built by
# gatehouse_fuzzers; a replay of its corpus under ctest in every other one.
add_custom_target(gatehouse_fuzzers)
function(gatehouse_add_fuzzer name)
  cmake_parse_arguments(arg "" "CORPUS" "SOURCES;LINKS" ${ARGN})
  if(GATEHOUSE_FUZZ)
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ${arg_LINKS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(gatehouse_fuzzers ${name})
  else()
    add_executable(${name} ${arg_SOURCES} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_corpus.cc)
    target_link_libraries(${name} PRIVATE ${arg_LINKS})
    add_test(NAME ${name} COMMAND ${name} ${arg_CORPUS})
    set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 120)
  endif()
endfunction()
