# Keeps an interface as the core wants it: apart from the daemon, so that tests can
# drive it without one.
add_library(wigwag_reconciler STATIC ${CMAKE_CURRENT_LIST_DIR}/reconciler.cpp ${CMAKE_CURRENT_LIST_DIR}/reconciler_state.cpp
  ${CMAKE_CURRENT_LIST_DIR}/reconciler_watch.cpp)
target_link_libraries(wigwag_reconciler PUBLIC wigwag_options wigwag_netlink)
